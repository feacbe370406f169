export interface Line {
  name: string;
  price: number;
  quantity: number;
}

export class Cart {
  private lines: Line[] = [];

  add(line: Line): void {
    this.lines.push(line);
  }

  total(): number {
    return this.lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
  }

  isEmpty(): boolean {
    return this.lines.length === 0;
  }
}
