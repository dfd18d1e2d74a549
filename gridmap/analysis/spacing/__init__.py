"""How far points lie together: K functions on the plane, along roads, and by category."""
