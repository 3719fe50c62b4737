"""The faults that a drill's file may name: their kinds and options. Adapters inject them."""

from sturdis.core.drill.faults import cluster, files, memory, network, version
from sturdis.core.drill.faults.process import Kill

OfFiles = (
    files.TornTail
    | files.NulTail
    | files.BitFlip
    | files.BitFlips
    | files.TornMulti
    | files.VolumeLost
)
OfMemory = memory.MemoryFull | memory.MemoryKernel
OfNetwork = network.CutConnections | network.SlowLink | network.Partition | network.ClientStorm
OfVersion = version.ServerUpgrade | version.ServerDowngrade
OfCluster = cluster.PodDelete | cluster.NodeCrash

Fault = Kill | OfFiles | OfMemory | OfNetwork | OfVersion | OfCluster
