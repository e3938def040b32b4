"""Networks for photographs whose ImageNet weights are published, as ``keras.applications`` of Keras 2.3.1.

The layers have Keras's names, order and shapes (those of keras-applications 1.0.8), so the published files, and files
that Keras users saved, load. Every builder takes:

- ``include_top``: whether the network ends in its classifier.
- ``weights``: ``'imagenet'`` (downloaded once, to ``~/.keras/models``), None (initial values), or a file of weights.
- ``input_tensor``: the image, where it is not a new ``Input``.
- ``input_shape``: of one image, in the session's data format; without the top, its sizes may be None.
- ``pooling``: without the top, ``'avg'`` or ``'max'`` reduces the output to ``(samples, channels)``; None leaves it.
- ``classes``: the size of the classifier; 1000 with the published weights.

and raises ValueError for a combination that cannot be built, OSError where weights cannot be downloaded.

Example:
    >>> from symgraph.keras.applications import MobileNet
    >>> model = MobileNet(input_shape=(64, 64, 3), alpha=0.25, include_top=False, weights=None, pooling="avg")
    >>> model.output_shape
    (None, 256)
"""

from __future__ import annotations

from . import (
    densenet,
    imagenet_utils,
    inception_resnet_v2,
    inception_v3,
    mobilenet,
    mobilenet_v2,
    nasnet,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
    xception,
)
from .densenet import DenseNet121, DenseNet169, DenseNet201
from .inception_resnet_v2 import InceptionResNetV2
from .inception_v3 import InceptionV3
from .injection import keras_modules_injection
from .mobilenet import MobileNet
from .mobilenet_v2 import MobileNetV2
from .nasnet import NASNetLarge, NASNetMobile
from .resnet import ResNet101, ResNet152
from .resnet50 import ResNet50
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .vgg16 import VGG16
from .vgg19 import VGG19
from .xception import Xception

__all__ = [
    "VGG16",
    "VGG19",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "Xception",
    "densenet",
    "imagenet_utils",
    "inception_resnet_v2",
    "inception_v3",
    "keras_modules_injection",
    "mobilenet",
    "mobilenet_v2",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
]
