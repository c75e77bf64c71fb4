import Foundations
import Kernels

/// Moves pixels between an array and scratch, where the channels of a pixel lie side by side.
struct PixelPacking {
    let channels: Int
    /// From one pixel in scratch to the next.
    let pixelPitch: Int
    let element: Int
    /// Scratch: channel by channel, pixels on their way to or from another dtype; and the stages of conversion.
    let lines: UnsafeMutableRawPointer
    let stages: UnsafeMutableRawPointer

    /// Pixels converted at a time, and the bytes of `lines`.
    static let linePixels = 128
    static func lineBytes(channels: Int, element: Int) -> Int { linePixels &* channels &* element }

    /// Reads pixels that one stride walks.
    func read(
        _ source: UnsafeRawPointer, _ reader: ElementReader, channelStride: Int, pixelStride: Int, pixels: Int,
        to target: UnsafeMutableRawPointer
    ) {
        let unit = reader.type.byteCount
        if channelStride == unit || pixelStride != unit || element > 8 {
            for x in 0..<pixels {
                readRun(
                    reader, source + x &* pixelStride, stride: channelStride, count: channels,
                    to: target + x &* pixelPitch, stage: stages)
            }
            return
        }
        var tile = TransposedTiles(
            rows: channels, columns: pixels, sourceRow: channelStride, destinationColumn: pixelPitch, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: element)
        if reader.isPlain {
            transpose(source, to: target, offsets: nil, &tile)
            return
        }
        tile.sourceRow = PixelPacking.linePixels &* element
        var x = 0
        while x < pixels {
            tile.columns = min(PixelPacking.linePixels, pixels &- x)
            for c in 0..<channels {
                readRun(
                    reader, source + (x &* pixelStride &+ c &* channelStride), stride: pixelStride,
                    count: tile.columns, to: lines + c &* tile.sourceRow, stage: stages)
            }
            transpose(UnsafeRawPointer(lines), to: target + x &* pixelPitch, offsets: nil, &tile)
            x &+= tile.columns
        }
    }

    /// Writes pixels that one stride walks.
    func write(
        _ source: UnsafeMutableRawPointer, _ writer: ElementWriter, channelStride: Int, pixelStride: Int, pixels: Int,
        to target: UnsafeMutableRawPointer
    ) {
        let unit = writer.output.byteCount
        if channelStride == unit || element > 8 {
            for x in 0..<pixels {
                writeRun(
                    writer, source + x &* pixelPitch, count: channels, to: target + x &* pixelStride,
                    stride: channelStride, stages: stages)
            }
            return
        }
        var tile = TransposedTiles(
            rows: pixels, columns: channels, sourceRow: pixelPitch, destinationColumn: channelStride, tiles: 1,
            sourceTile: 0, destinationTile: 0, elementBytes: element)
        if writer.isPlain && pixelStride == unit {
            transpose(UnsafeRawPointer(source), to: target, offsets: nil, &tile)
            return
        }
        tile.destinationColumn = PixelPacking.linePixels &* element
        var x = 0
        while x < pixels {
            tile.rows = min(PixelPacking.linePixels, pixels &- x)
            transpose(UnsafeRawPointer(source + x &* pixelPitch), to: lines, offsets: nil, &tile)
            for c in 0..<channels {
                writeRun(
                    writer, lines + c &* tile.destinationColumn, count: tile.rows,
                    to: target + (x &* pixelStride &+ c &* channelStride), stride: pixelStride, stages: stages)
            }
            x &+= tile.rows
        }
    }
}
