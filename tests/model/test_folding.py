"""Folding batch norms leaves what a network computes."""

import torch
from torch import nn

from f2hdr_backend.model.folding import fold_batch_norms


class Block(nn.Module):
    """Convolutions and norms as a Sequential, by number, and one norm that no convolution precedes."""

    def __init__(self):
        super().__init__()
        self.row = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 5, 2))
        self.conv1, self.bn1 = nn.Conv2d(5, 6, 1), nn.BatchNorm2d(6)
        self.alone = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(6))

    def forward(self, x):
        return self.alone(self.bn1(self.conv1(self.row(x))))


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_folding_keeps_the_result_with_fewer_layers():
    torch.manual_seed(1)
    network = Block()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias)
            nn.init.uniform_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    network.eval()
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        before = network(x)
        fold_batch_norms(network)
        assert norms(network) == 1
        assert torch.allclose(network(x), before, atol=1e-5)
