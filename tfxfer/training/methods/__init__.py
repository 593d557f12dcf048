"""What a phase says made true: optimizers, schedules, penalties, averages, teachers."""
