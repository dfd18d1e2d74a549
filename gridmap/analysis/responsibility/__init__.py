"""Who answers for a place, and where nobody does or two do."""
