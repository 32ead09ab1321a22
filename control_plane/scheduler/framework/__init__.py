"""The framework: extension points, the values plugins see, and the runner that calls them."""
