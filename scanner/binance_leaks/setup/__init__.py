"""What `binance-leaks init` writes: configuration of pre-commit and of CI.

Text in, text out; `plan` alone writes.
"""
