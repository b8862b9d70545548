//! Networks f(x, t, c): MLP, U-Net and their embeddings.
