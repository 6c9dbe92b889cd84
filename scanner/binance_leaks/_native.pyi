"""What is pure work per byte and per object, compiled: the same as Python does where this was not built, but faster."""
