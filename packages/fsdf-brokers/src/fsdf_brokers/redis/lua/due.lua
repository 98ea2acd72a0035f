-- Makes the delayed messages that are due ready.
-- Returns the milliseconds until the next delayed message, or -1.

promote()
return until_next()
