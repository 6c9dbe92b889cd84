"""The commands of `binance-leaks fleet`."""
