"""The faults that a drill's file may name: their kinds and options. Adapters inject them."""

from sturdis.core.drill.faults import (
    clock,
    cluster,
    disk,
    files,
    memory,
    network,
    process,
    version,
)

OfProcess = process.Kill | process.Stop
OfDisk = disk.PowerCut | disk.FailedFsync | disk.SlowFsync | disk.DiskFull | disk.DiskFullRewrite
OfClock = clock.ClockStep
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

Fault = OfProcess | OfDisk | OfClock | OfFiles | OfMemory | OfNetwork | OfVersion | OfCluster
