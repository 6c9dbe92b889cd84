"""Find Binance credentials in bytes: pure functions without input or output."""
