"""Where private keys live: one file for each kind of place."""
