"""What every store of identity must do, run against every adapter."""
