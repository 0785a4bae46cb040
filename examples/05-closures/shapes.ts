/** Shapes, and how many were measured so far. */
export abstract class Shape {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  abstract get area(): number;
  describe(): string {
    return `${this.name} of ${this.area.toFixed(2)}`;
  }
}

export class Circle extends Shape {
  readonly radius: number;
  constructor(radius: number) {
    super("a circle");
    this.radius = radius;
  }
  get area(): number {
    return Math.PI * this.radius ** 2;
  }
}

export class Square extends Shape {
  readonly side: number;
  constructor(side: number) {
    super("a square");
    this.side = side;
  }
  get area(): number {
    return this.side ** 2;
  }
}

let measured = 0;

export function measure(shape: Shape): number {
  measured += 1;
  return shape.area;
}

export function measuredSoFar(): number {
  return measured;
}
