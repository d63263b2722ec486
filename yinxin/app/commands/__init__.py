"""The commands, one module each: options in, a call or two, words out."""
