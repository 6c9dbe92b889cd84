"""What `binance-leaks doctor` looks at: whether a commit made here is really checked.

Every module returns checks as data; the command prints them.
"""
