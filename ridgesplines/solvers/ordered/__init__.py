"""Several functions of one variable that keep their order: linear programs in which knots and order join as needed."""
