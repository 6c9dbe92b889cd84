"""`python -m binance_leaks` is `binance-leaks`."""

from binance_leaks.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
