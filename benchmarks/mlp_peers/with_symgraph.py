"""symgraph through its Keras front, as a user would write it."""

import symgraph
from symgraph.keras.layers import Dense, Dropout
from symgraph.keras.models import Sequential
from symgraph.keras.optimizers import RMSprop


class Trainer:
    version = symgraph.__version__

    def __init__(self, batch):
        self.batch = batch
        self.model = Sequential(
            [
                Dense(512, activation="relu", input_shape=(784,)),
                Dropout(0.2),
                Dense(512, activation="relu"),
                Dropout(0.2),
                Dense(10, activation="softmax"),
            ]
        )
        self.model.compile(loss="categorical_crossentropy", optimizer=RMSprop(), metrics=["accuracy"])

    def step(self, x, y):
        self.model.train_on_batch(x, y)

    def epoch(self, x, y, order):
        self.model.fit(x, y, batch_size=self.batch, epochs=1, verbose=0)  # shuffles by itself

    def predict(self, x):
        return self.model.predict(x, batch_size=1000)
