"""Who may enter: accounts of staff and holders, passkeys, sign-in by OpenID Connect, browser sessions."""
