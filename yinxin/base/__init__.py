"""What all rooms stand on: errors, clock, randomness, settings, identifiers, storage, audit."""
