"""What people who build on insitu need for their own tests."""
