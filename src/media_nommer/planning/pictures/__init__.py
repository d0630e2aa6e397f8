"""What is true of any picture: its size, its shape, its colours, its clock."""
