-- Moves the delayed messages that are due to the end of the ready ones.
-- KEYS: ready, delayed   Returns the milliseconds until the next delayed message, or -1.

promote(KEYS[1], KEYS[2])
return until_next(KEYS[2])
