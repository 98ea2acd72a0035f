"""Who may ask for what: tokens, sessions, the guard in front of every page and API call."""
