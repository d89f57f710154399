/** Bits of a coordinate: cells of the tree are as small as 2^-15 of the whole. */
const BITS = 15;
/** Points that a cell may have without being divided. */
const LEAF = 12;

/** The bits of a coordinate, each moved to twice its place. */
function spread(x: number): number {
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/**
 * What points in a plane push each other by, all pairs, with cells of many points taken as one where they are far (Barnes and
 * Hut 1986; for t-SNE van der Maaten 2014, section 4.2). Cells stand in an array as one meets them going down a tree; each
 * knows the one that comes after all of its parts. Points of a cell stand together.
 */
export class Repulsion {
  private readonly order: Int32Array;
  private readonly spare: Int32Array;
  private readonly keys: Int32Array;
  private readonly counts = new Int32Array(1 << 10);
  /** The points in order. */
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  /** Of each cell: mean place (x, y), points, width. */
  private readonly cells: Float64Array;
  /** Of each cell: the one after its parts; its first point, -1 where it has parts. */
  private readonly after: Int32Array;
  private readonly start: Int32Array;
  private numCells = 0;
  /** What a group of points meets: far cells (x, y, points), and near ones. */
  private readonly far: Float64Array;
  private readonly near: Int32Array;
  /** Of the whole, and places of the points in order. */
  private width = 1;
  private sorted: Int32Array = new Int32Array(0);

  /** @param theta a cell is taken as one where its width is less than this part of its distance; 0: never. */
  constructor(
    private readonly numPoints: number,
    private readonly theta: number,
  ) {
    this.order = new Int32Array(numPoints);
    this.spare = new Int32Array(numPoints);
    this.keys = new Int32Array(numPoints);
    this.x = new Float64Array(numPoints);
    this.y = new Float64Array(numPoints);
    // Of the cells with parts each level has one at most for LEAF + 1 points; each other cell has a point of its own.
    const most = BITS * Math.max(1, Math.floor(numPoints / (LEAF + 1))) + Math.max(1, numPoints);
    this.cells = new Float64Array(4 * most);
    this.after = new Int32Array(most);
    this.start = new Int32Array(most);
    this.far = new Float64Array(3 * most);
    this.near = new Int32Array(most);
  }

  /**
   * Writes sum over j of q_ij^2 (y_i - y_j), with q = 1 / (1 + |y_i - y_j|^2), of a layout [N, 2] to `forces` [N, 2].
   * @returns the sum of q over pairs i != j.
   */
  of(layout: Float64Array, forces: Float64Array): number {
    this.sort(layout);
    this.numCells = 0;
    this.divide(0, this.numPoints, 0);
    let total = 0;
    for (let cell = 0; cell < this.numCells; cell++) if (this.start[cell] >= 0) total += this.pushGroup(cell, forces);
    return total;
  }

  /** Puts the points in the order of their cells, and keeps the width of the whole. */
  private sort(layout: Float64Array): void {
    const { numPoints: N, order, spare, keys, counts } = this;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < N; i++) {
      left = Math.min(left, layout[2 * i]);
      right = Math.max(right, layout[2 * i]);
      low = Math.min(low, layout[2 * i + 1]);
      high = Math.max(high, layout[2 * i + 1]);
    }
    this.width = Math.max(right - left, high - low) || 1;
    const scale = ((1 << BITS) - 1) / this.width;
    for (let i = 0; i < N; i++) {
      keys[i] = spread((layout[2 * i] - left) * scale) | (spread((layout[2 * i + 1] - low) * scale) << 1);
      order[i] = i;
    }
    let [from, to] = [order, spare];
    for (let shift = 0; shift < 2 * BITS; shift += 10) {
      counts.fill(0);
      for (let i = 0; i < N; i++) counts[(keys[i] >>> shift) & 1023]++;
      for (let digit = 0, sum = 0; digit < 1024; digit++) {
        const count = counts[digit];
        counts[digit] = sum;
        sum += count;
      }
      for (let i = 0; i < N; i++) to[counts[(keys[from[i]] >>> shift) & 1023]++] = from[i];
      [from, to] = [to, from];
    }
    this.sorted = from;
    for (let place = 0; place < N; place++) {
      this.x[place] = layout[2 * from[place]];
      this.y[place] = layout[2 * from[place] + 1];
    }
  }

  /** Makes the cell of the points from one place to another, and its parts. */
  private divide(from: number, to: number, level: number): void {
    const cell = this.numCells++;
    let [sumX, sumY] = [0, 0];
    if (to - from <= LEAF || level === BITS) {
      for (let place = from; place < to; place++) {
        sumX += this.x[place];
        sumY += this.y[place];
      }
      this.start[cell] = from;
    } else {
      const shift = 2 * (BITS - 1 - level);
      for (let part = 0, begin = from; part < 4 && begin < to; part++) {
        let end = begin;
        while (end < to && ((this.keys[this.sorted[end]] >>> shift) & 3) === part) end++;
        if (end === begin) continue;
        const child = 4 * this.numCells;
        this.divide(begin, end, level + 1);
        sumX += this.cells[child] * (end - begin);
        sumY += this.cells[child + 1] * (end - begin);
        begin = end;
      }
      this.start[cell] = -1;
    }
    const count = to - from;
    this.cells[4 * cell] = sumX / count;
    this.cells[4 * cell + 1] = sumY / count;
    this.cells[4 * cell + 2] = count;
    this.cells[4 * cell + 3] = this.width / 2 ** level;
    this.after[cell] = this.numCells;
  }

  /** The forces on the points of an undivided cell, which meet the same cells; returns their sum of q. */
  private pushGroup(group: number, forces: Float64Array): number {
    const { cells, start } = this;
    const [from, to] = [start[group], start[group] + cells[4 * group + 2]];
    const [numFar, numNear] = this.meet(group, from, to);
    let total = 0;
    for (let place = from; place < to; place++) total += this.push(place, numFar, numNear, forces);
    return total - (to - from); // A point does not push itself.
  }

  /** Lists what the points of a cell meet: far cells that are taken as one, and undivided near ones. */
  private meet(group: number, from: number, to: number): [numFar: number, numNear: number] {
    const { x, y, cells, after, start, numCells, far, near, theta } = this;
    const [ownX, ownY] = [cells[4 * group], cells[4 * group + 1]];
    let radius = 0;
    for (let place = from; place < to; place++)
      radius = Math.max(radius, (x[place] - ownX) ** 2 + (y[place] - ownY) ** 2);
    radius = Math.sqrt(radius);
    let [numFar, numNear] = [0, 0];
    for (let cell = 0; cell < numCells;) {
      const dx = ownX - cells[4 * cell];
      const dy = ownY - cells[4 * cell + 1];
      // The width is less than theta times the distance from the point of the group that is the nearest to the cell.
      const least = cells[4 * cell + 3] / theta + radius;
      if (dx * dx + dy * dy > least * least) {
        far[3 * numFar] = cells[4 * cell];
        far[3 * numFar + 1] = cells[4 * cell + 1];
        far[3 * numFar++ + 2] = cells[4 * cell + 2];
        cell = after[cell];
      } else if (start[cell] < 0) {
        cell++;
      } else {
        near[numNear++] = cell;
        cell = after[cell];
      }
    }
    return [numFar, numNear];
  }

  /** The force on the point at a place from what was listed; returns its sum of q, itself included. */
  private push(place: number, numFar: number, numNear: number, forces: Float64Array): number {
    const { x, y, cells, start, far, near } = this;
    const [ownX, ownY] = [x[place], y[place]];
    let [forceX, forceY, total] = [0, 0, 0];
    for (let at = 0; at < 3 * numFar; at += 3) {
      const dx = ownX - far[at];
      const dy = ownY - far[at + 1];
      const q = 1 / (1 + dx * dx + dy * dy);
      const sum = far[at + 2] * q;
      total += sum;
      forceX += sum * q * dx;
      forceY += sum * q * dy;
    }
    for (let n = 0; n < numNear; n++) {
      const from = start[near[n]];
      const to = from + cells[4 * near[n] + 2];
      for (let other = from; other < to; other++) {
        const dx = ownX - x[other];
        const dy = ownY - y[other];
        const q = 1 / (1 + dx * dx + dy * dy);
        total += q;
        forceX += q * q * dx;
        forceY += q * q * dy;
      }
    }
    const point = this.sorted[place];
    forces[2 * point] = forceX;
    forces[2 * point + 1] = forceY;
    return total;
  }
}
