import Foundations

/// How tiles are cut into blocks: some planes of some rows of tiles, or of a part of one row, or whole images.
struct WinogradTiling {
    /// Tiles along a plane's rows and columns, and planes of outputs.
    let tilesX: Int
    let tilesY: Int
    let planes: Int
    let images: Int
    /// Planes of samples more than of outputs.
    let halo: Int
    private(set) var blockColumns = 1
    private(set) var blockRows = 1
    private(set) var blockPlanes = 1
    private(set) var blockImages = 1

    /// What a block may take: bytes of a tile transformed and of its sums, bytes in all, and tiles of outputs.
    struct Limits {
        let transformedBytes: Int
        let sumBytes: Int
        let blockBytes: Int
        let tiles: Int
    }

    init(_ shape: WinogradShape, outputs: Int, _ limits: Limits) {
        tilesX = max(1, ceilingDivide(shape.x.extent, outputs))
        tilesY = max(1, ceilingDivide(shape.y.extent, outputs))
        planes = max(1, shape.z.extent)
        images = max(1, shape.sample.extent)
        halo = shape.z.taps &- 1
        cut(outputs: outputs, limits)
    }

    /// Takes as many planes, and as many rows of them as there is room for then, as have the fewest samples read twice,
    /// beside planes and beside rows; of equals the more planes. Without a halo the rows decide alone.
    private mutating func cut(outputs: Int, _ limits: Limits) {
        var fewest = Double.infinity
        var (columns, rows, depth) = (1, 1, 1)
        for count in 1...planes {
            let most = mostTiles(planes: count, limits)
            if most == 0 && count > 1 { break }
            let (c, r) = (min(tilesX, max(most, 1)), min(tilesY, max(most / tilesX, 1)))
            let read =
                Double(count &+ halo) / Double(count) * Double(r &* outputs &+ 2) / Double(r &* outputs)
                * Double(c &* outputs &+ 2) / Double(c &* outputs)
            if read > fewest { continue }
            (fewest, columns, rows, depth) = (read, c, r, count)
        }
        blockColumns = evenPart(tilesX, most: columns)
        blockRows = evenPart(tilesY, most: rows)
        blockPlanes = evenPart(planes, most: depth)
        if blockColumns == tilesX && blockRows == tilesY && blockPlanes == planes {
            let perPlane = saturatingMultiply(tilesX, tilesY)
            blockImages = evenPart(images, most: mostTiles(planes: planes, limits) / perPlane)
        }
    }

    /// Tiles of each plane that a block of so many planes may have.
    private func mostTiles(planes: Int, _ limits: Limits) -> Int {
        let bytes = saturatingAdd(
            saturatingMultiply(saturatingAdd(planes, halo), limits.transformedBytes),
            saturatingMultiply(planes, limits.sumBytes))
        return min(limits.tiles / planes, limits.blockBytes / bytes)
    }

    var columnBlocks: Int { ceilingDivide(tilesX, blockColumns) }
    var rowBlocks: Int { ceilingDivide(tilesY, blockRows) }
    var planeBlocks: Int { ceilingDivide(planes, blockPlanes) }
    var imageBlocks: Int { ceilingDivide(images, blockImages) }
    var blocks: Int {
        saturatingMultiply(
            saturatingMultiply(imageBlocks, planeBlocks), saturatingMultiply(rowBlocks, columnBlocks))
    }

    /// Tiles of a block's outputs, and of its samples.
    var blockTiles: Int { blockImages &* blockPlanes &* blockRows &* blockColumns }
    var heldTiles: Int { blockImages &* (blockPlanes &+ halo) &* blockRows &* blockColumns }
}

/// The largest extent of as few parts as can be, up to `most` each, but whole units.
func evenPart(_ extent: Int, most: Int, unit: Int = 1) -> Int {
    let units = ceilingDivide(extent, unit)
    return ceilingDivide(units, ceilingDivide(units, max(most / unit, 1))) &* unit
}
