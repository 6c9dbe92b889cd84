"""`binance-leaks fleet`: many repositories, and the store that remembers them."""
