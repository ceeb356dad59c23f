//! Reports of one made-up run: what they say, and that they hold no secret.
