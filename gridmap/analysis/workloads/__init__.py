"""What each grid holds and has to do, and how fairly that is shared."""
