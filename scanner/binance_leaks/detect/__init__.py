"""Find Binance credentials in bytes: pure functions, no input or output, no clock, no randomness."""
