"""Networks from and to other formats: arrays of layers, files, PyTorch, scikit-learn, Keras, ONNX, formulas as text."""
