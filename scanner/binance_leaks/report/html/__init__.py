"""The `html` format: one page that opens anywhere, asks the network for nothing, and can be handed on and printed."""
