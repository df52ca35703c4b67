"""What a notification is, when somebody gets one, and when a delivery is given up."""
