import CSwiftConv
import Foundations
import Testing

struct BoundaryTests {
    /// The mirror as a walk: one sample at a time, turning round at the edges.
    private func walk(_ boundary: Boundary, _ index: Int, _ n: Int) -> Int {
        if boundary == .fill { return index >= 0 && index < n ? index : -1 }
        var (place, direction) = (0, index < 0 ? -1 : 1)
        for _ in 0..<abs(index) {
            let next = place + direction
            if next >= 0 && next < n {
                place = next
                continue
            }
            switch boundary {
            case .wrap: place = direction > 0 ? 0 : n - 1
            case .symmetric: direction = -direction
            case .reflect:
                direction = -direction
                if n > 1 { place += direction }
            case .edge, .fill: break
            }
        }
        return place
    }

    @Test(arguments: [Boundary.fill, .wrap, .symmetric, .reflect, .edge])
    func mapsAsRepeatedWalk(boundary: Boundary) {
        for n in 1...6 {
            for index in -30...30 {
                #expect(boundary.map(index, extent: n) == walk(boundary, index, n), "\(index) of \(n)")
            }
        }
    }

    @Test(arguments: [Boundary.wrap, .symmetric, .reflect, .edge])
    func mapsFarIndicesInside(boundary: Boundary) {
        for n in [1, 2, 3, 1000, 1 << 40] {
            for index in [Int.min, Int.min + 1, -1 << 62, 1 << 62, Int.max - 1, Int.max] {
                #expect((0..<n).contains(boundary.map(index, extent: n)), "\(index) of \(n)")
            }
        }
    }

    @Test func hasTheHeadersCodes() {
        let codes = [
            SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT, SC_BOUNDARY_EDGE,
        ]
        #expect(codes.map { Boundary(rawValue: Int32($0)) } == [.fill, .wrap, .symmetric, .reflect, .edge])
        #expect(Boundary(rawValue: -1) == nil && Boundary(rawValue: 5) == nil)
    }
}
