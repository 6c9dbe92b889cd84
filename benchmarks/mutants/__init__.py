"""Small changes of the package, and which of them no cheap test notices."""
