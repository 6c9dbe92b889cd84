"""A server on loopback that plays Binance from its documents, for clients that do not know that it is no other."""
