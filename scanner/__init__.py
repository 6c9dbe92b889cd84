"""binance-leaks: find, pair and judge Binance API credentials in files, commits and repositories."""

__version__ = "0.1.0"
