"""Back a node up while it works, and put it back so that it never contradicts what it published meanwhile."""
