"""What is run on data sets: the form, the verdict, the price, and the signatures."""
