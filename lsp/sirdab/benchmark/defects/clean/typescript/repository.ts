// Orders of a shop, kept in a database.

export interface Database {
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Row {
  [column: string]: string | number | null;
}

export interface Order {
  id: number;
  customer: string;
  cents: number;
}

export class NotFound extends Error {}

export class OrderRepository {
  constructor(private readonly database: Database) {
    this.database = database;
  }

  async byId(id: number): Promise<Order> {
    const rows = await this.database.query(
      "SELECT id, customer, cents FROM orders WHERE id = $1",
      [id],
    );
    const row = rows[0];
    if (row === undefined) {
      throw new NotFound(`order ${id}`);
    }
    return toOrder(row);
  }

  async ofCustomer(customer: string, limit?: number): Promise<Order[]> {
    const rows = await this.database.query(
      "SELECT id, customer, cents FROM orders WHERE customer = $1 ORDER BY id LIMIT $2",
      [customer, limit ?? 20],
    );
    return rows.map((row) => toOrder(row));
  }

  async search(text: string): Promise<Order[]> {
    const rows = await this.database.query("SELECT * FROM orders WHERE customer LIKE $1", [
      `%${text}%`,
    ]);
    return rows.map(toOrder);
  }

  async totals(customers: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.database.query(
      "SELECT customer, SUM(cents) AS cents FROM orders WHERE customer = ANY($1) GROUP BY customer",
      [customers],
    );
    const totals = new Map<string, number>();
    for (const row of rows) {
      totals.set(String(row.customer), Number(row.cents));
    }
    return totals;
  }

  async titles(ids: readonly number[]): Promise<string[]> {
    const rows = await this.database.query("SELECT title FROM articles WHERE id = ANY($1)", [ids]);
    return rows.map((row) => String(row.title));
  }

  async rename(before: string, after: string): Promise<void> {
    if (before === after || after === "") {
      return;
    }
    await this.database.query("UPDATE orders SET customer = $2 WHERE customer = $1", [
      before,
      after,
    ]);
    await this.log(before, after);
  }

  async remove(id: number): Promise<boolean> {
    const rows = await this.database.query("DELETE FROM orders WHERE id = $1 RETURNING id", [id]);
    return rows.length === 1;
  }

  private async log(before: string, after: string): Promise<void> {
    await this.database.query("INSERT INTO changes (before, after) VALUES ($1, $2)", [
      before,
      after,
    ]);
  }
}

export function toOrder(row: Row): Order {
  return { id: Number(row.id), customer: String(row.customer), cents: Number(row.cents) };
}

export function total(orders: readonly Order[]): number {
  return orders.reduce((sum, order) => {
    return sum + order.cents;
  }, 0);
}

export function share(order: Order, orders: readonly Order[]): number {
  const all = total(orders);
  if (all === 0) {
    return 0;
  }
  return order.cents / all;
}

export function largest(orders: readonly Order[]): Order | undefined {
  let best: Order | undefined;
  for (const order of orders) {
    if (best === undefined || order.cents > best.cents) {
      best = order;
    }
  }
  return best;
}
