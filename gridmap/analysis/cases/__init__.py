"""Cases: working time, deadlines, lives, KPIs, recurrence."""
