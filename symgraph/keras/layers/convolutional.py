"""Convolution layers and their relatives, under the names that Keras gives them."""

from __future__ import annotations

from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..legacy.layers import AtrousConvolution1D, AtrousConvolution2D
from ..utils.generic_utils import transpose_shape
from .conv_base import Conv1D, Conv2D, Conv3D
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .separable import DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from .spatial import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .transposed import Conv2DTranspose, Conv3DTranspose

Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
Convolution2DTranspose = Deconvolution2D = Deconv2D = Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose
AtrousConv1D, AtrousConv2D = AtrousConvolution1D, AtrousConvolution2D

__all__ = [
    "AtrousConv1D", "AtrousConv2D", "AtrousConvolution1D", "AtrousConvolution2D", "AveragePooling1D",
    "AveragePooling2D", "AveragePooling3D", "Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "Convolution1D", "Convolution2D", "Convolution2DTranspose", "Convolution3D", "Cropping1D", "Cropping2D",
    "Cropping3D", "Deconv2D", "Deconv3D", "Deconvolution2D", "Deconvolution3D", "DepthwiseConv2D", "InputSpec",
    "Layer", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "SeparableConv1D", "SeparableConv2D",
    "SeparableConvolution1D", "SeparableConvolution2D", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "interfaces", "transpose_shape",
]  # fmt: skip
