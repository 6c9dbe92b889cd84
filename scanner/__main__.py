"""`python -m scanner` is `binance-leaks`."""

from scanner.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
