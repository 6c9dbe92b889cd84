"""What can be known of other systems without having them."""
