"""Pictures of the product, from a living installation."""
