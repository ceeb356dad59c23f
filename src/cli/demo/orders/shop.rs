//! The shop behind the orders API: products with stock, customers, orders and the rules between them.
//!
//! Owns state and rules; everything is real: what is ordered is taken from stock, what is not there is not found. Refuses to
//! own HTTP (`mod.rs`) and to know that it is watched.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::runtime::rng::Rng;

/// Why the shop says no: a code for programs, a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum No {
    /// There is nothing of this kind with this id.
    Unknown(&'static str),
    /// What was asked makes no sense.
    Invalid(&'static str),
    /// It makes sense, but not now.
    Conflict(&'static str),
}

struct Product {
    sku: String,
    name: &'static str,
    category: &'static str,
    price_cents: u32,
    stock: u32,
}

struct Customer {
    name: String,
    email: String,
    company: Option<&'static str>,
    since: String,
}

struct Line {
    product: u32,
    quantity: u32,
    price_cents: u32,
}

struct Order {
    customer: String,
    status: &'static str,
    lines: Vec<Line>,
    note: Option<String>,
    created: String,
}

/// What can become of an order, in its order.
const STATUSES: [&str; 5] = ["pending", "paid", "shipped", "delivered", "cancelled"];

/// Name, category, price in cents.
const CATALOGUE: [(&str, &str, u32); 24] = [
    ("Espresso beans 1 kg", "coffee", 1890),
    ("Filter beans 500 g", "coffee", 1150),
    ("Decaf beans 500 g", "coffee", 1290),
    ("Cold brew bags, 10", "coffee", 990),
    ("Hand grinder", "equipment", 8900),
    ("Electric grinder", "equipment", 21900),
    ("Pour-over dripper", "equipment", 2450),
    ("Gooseneck kettle", "equipment", 6990),
    ("Moka pot, 3 cups", "equipment", 3290),
    ("Moka pot, 6 cups", "equipment", 3990),
    ("Milk jug 350 ml", "equipment", 1790),
    ("Scale with timer", "equipment", 4490),
    ("Paper filters, 100", "supplies", 590),
    ("Cleaning tablets", "supplies", 1190),
    ("Descaler 500 ml", "supplies", 890),
    ("Grinder brush", "supplies", 690),
    ("Espresso cup, set of 2", "tableware", 1990),
    ("Cappuccino cup, set of 2", "tableware", 2290),
    ("Travel mug 400 ml", "tableware", 2790),
    ("Glass server 600 ml", "tableware", 2190),
    ("Darjeeling 100 g", "tea", 1450),
    ("Sencha 100 g", "tea", 1690),
    ("Rooibos 200 g", "tea", 990),
    ("Earl Grey, 50 bags", "tea", 790),
];

const FIRST_NAMES: [&str; 12] = [
    "Ada", "Bruno", "Chiara", "David", "Elif", "Farah", "Georg", "Hanna", "Ivan", "Joana", "Kofi",
    "Lena",
];
const LAST_NAMES: [&str; 12] = [
    "Alvarez", "Berg", "Conti", "Dubois", "Eriksen", "Fischer", "Grant", "Haddad", "Ito", "Jansen",
    "Kaya", "Lopes",
];
const COMPANIES: [&str; 4] = ["Bean & Leaf", "Corner Café", "Nordkontor", "Studio Fünf"];

/// Everything the shop knows.
pub(in crate::cli::demo) struct Shop {
    rng: Rng,
    products: BTreeMap<u32, Product>,
    customers: BTreeMap<String, Customer>,
    orders: BTreeMap<u32, Order>,
}

impl Shop {
    /// A shop that is open for a while already: products, forty customers, sixty orders.
    pub(in crate::cli::demo) fn open(seed: u64, now: &str) -> Self {
        let rng = Rng::seeded(seed);
        let products = CATALOGUE
            .iter()
            .zip(1001..)
            .map(|(&(name, category, price_cents), id)| {
                let sku = format!("{}-{}", category.get(..3).unwrap_or(category), 7 * id % 997);
                let stock = 4_000 + draw(&rng, 2_000);
                (id, Product { sku: sku.to_uppercase(), name, category, price_cents, stock })
            })
            .collect();
        let mut shop = Self { rng, products, customers: BTreeMap::new(), orders: BTreeMap::new() };
        for _ in 0..40 {
            let (first, last) = (shop.pick(&FIRST_NAMES), shop.pick(&LAST_NAMES));
            let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
            shop.add_customer(&format!("{first} {last}"), &email, now);
        }
        for _ in 0..60 {
            let customer = shop.any_customer();
            let lines = vec![(1001 + draw(&shop.rng, 24), 1 + draw(&shop.rng, 4))];
            // The stock of a new shop is larger than these orders.
            let _placed = shop.order(&customer, &lines, None, now);
        }
        for order in shop.orders.values_mut() {
            order.status = pick(&shop.rng, &STATUSES);
        }
        shop
    }

    pub(in crate::cli::demo) fn products(&self, category: Option<&str>) -> Value {
        let matching = self
            .products
            .iter()
            .filter(|(_, product)| category.is_none_or(|wanted| product.category == wanted));
        let items: Vec<Value> = matching.map(|(id, product)| show_product(*id, product)).collect();
        json!({ "count": items.len(), "items": items })
    }

    pub(in crate::cli::demo) fn product(&self, id: u32) -> Result<Value, No> {
        let product = self.products.get(&id).ok_or(No::Unknown("product"))?;
        Ok(show_product(id, product))
    }

    /// What is left of each product, by its stock-keeping unit: a map, whose keys are data.
    pub(in crate::cli::demo) fn stock(&self, now: &str) -> Value {
        let levels: serde_json::Map<String, Value> = self
            .products
            .values()
            .map(|product| (product.sku.clone(), product.stock.into()))
            .collect();
        json!({ "asOf": now, "levels": levels })
    }

    pub(in crate::cli::demo) fn customer(&self, id: &str) -> Result<Value, No> {
        let customer = self.customers.get(id).ok_or(No::Unknown("customer"))?;
        let orders = self.orders.values().filter(|order| order.customer == id).count();
        Ok(json!({
            "customerId": id,
            "name": customer.name,
            "email": customer.email,
            "company": customer.company,
            "since": customer.since,
            "orderCount": orders,
        }))
    }

    pub(in crate::cli::demo) fn register(
        &mut self,
        name: &str,
        email: &str,
        now: &str,
    ) -> Result<Value, No> {
        if name.trim().is_empty() {
            return Err(No::Invalid("a name is needed"));
        }
        if !email.contains('@') {
            return Err(No::Invalid("this is no e-mail address"));
        }
        let id = self.add_customer(name, email, now);
        self.customer(&id)
    }

    /// The newest orders first.
    pub(in crate::cli::demo) fn orders(
        &self,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Value, No> {
        if status.is_some_and(|wanted| !STATUSES.contains(&wanted)) {
            return Err(No::Invalid("there is no such status"));
        }
        let items: Vec<Value> = self
            .orders
            .iter()
            .rev()
            .filter(|(_, order)| status.is_none_or(|wanted| order.status == wanted))
            .take(limit)
            .map(|(id, order)| {
                json!({
                    "orderId": id,
                    "customerId": order.customer,
                    "status": order.status,
                    "createdAt": order.created,
                })
            })
            .collect();
        Ok(json!({ "count": items.len(), "items": items }))
    }

    /// One order whole. `total` is a number in euros.
    pub(in crate::cli::demo) fn order_details(&self, id: u32) -> Result<Value, No> {
        let order = self.orders.get(&id).ok_or(No::Unknown("order"))?;
        let lines = order.lines.iter().map(|line| {
            json!({
                "productId": line.product,
                "quantity": line.quantity,
                "price": euros(line.price_cents),
            })
        });
        let total: u32 = order.lines.iter().map(|line| line.quantity * line.price_cents).sum();
        Ok(json!({
            "orderId": id,
            "customerId": order.customer,
            "status": order.status,
            "lines": lines.collect::<Vec<_>>(),
            "total": euros(total),
            "currency": "EUR",
            "note": order.note,
            "createdAt": order.created,
        }))
    }

    /// Takes the products out of stock and opens an order.
    pub(in crate::cli::demo) fn order(
        &mut self,
        customer: &str,
        lines: &[(u32, u32)],
        note: Option<&str>,
        now: &str,
    ) -> Result<u32, No> {
        if !self.customers.contains_key(customer) {
            return Err(No::Invalid("there is no such customer"));
        }
        if lines.is_empty() || lines.iter().any(|(_, quantity)| !(1..=100).contains(quantity)) {
            return Err(No::Invalid("an order has lines of 1 to 100 pieces"));
        }
        let mut priced = Vec::with_capacity(lines.len());
        for &(product, quantity) in lines {
            let known =
                self.products.get(&product).ok_or(No::Invalid("there is no such product"))?;
            if known.stock < quantity {
                return Err(No::Conflict("not enough of this product is left"));
            }
            priced.push(Line { product, quantity, price_cents: known.price_cents });
        }
        for line in &priced {
            if let Some(product) = self.products.get_mut(&line.product) {
                product.stock = product.stock.saturating_sub(line.quantity);
            }
        }
        let id = self.orders.keys().next_back().map_or(50_001, |last| last + 1);
        let order = Order {
            customer: customer.to_owned(),
            status: "pending",
            lines: priced,
            note: note.map(str::to_owned),
            created: now.to_owned(),
        };
        self.orders.insert(id, order);
        Ok(id)
    }

    /// Moves an order on; nothing leaves its end.
    pub(in crate::cli::demo) fn change_status(&mut self, id: u32, status: &str) -> Result<(), No> {
        let order = self.orders.get_mut(&id).ok_or(No::Unknown("order"))?;
        let status = STATUSES
            .iter()
            .find(|known| **known == status)
            .ok_or(No::Invalid("there is no such status"))?;
        if matches!(order.status, "delivered" | "cancelled") && order.status != *status {
            return Err(No::Conflict("the order is closed"));
        }
        order.status = status;
        Ok(())
    }

    fn add_customer(&mut self, name: &str, email: &str, now: &str) -> String {
        let id = uuid::Builder::from_random_bytes(self.rng.bytes()).into_uuid().to_string();
        let company = (draw(&self.rng, 3) == 0).then(|| self.pick(&COMPANIES));
        let customer = Customer {
            name: name.to_owned(),
            email: email.to_owned(),
            company,
            since: now.to_owned(),
        };
        self.customers.insert(id.clone(), customer);
        id
    }

    fn any_customer(&self) -> String {
        let nth = draw(&self.rng, u32::try_from(self.customers.len()).unwrap_or(1)) as usize;
        self.customers.keys().nth(nth).cloned().unwrap_or_default()
    }

    fn pick(&self, from: &[&'static str]) -> &'static str {
        pick(&self.rng, from)
    }
}

fn show_product(id: u32, product: &Product) -> Value {
    json!({
        "productId": id,
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "price": euros(product.price_cents),
        "available": product.stock > 0,
    })
}

fn euros(cents: u32) -> f64 {
    f64::from(cents) / 100.0
}

/// Uniform in `0..below`.
pub(in crate::cli::demo) fn draw(rng: &Rng, below: u32) -> u32 {
    u32::try_from(rng.next_u64() % u64::from(below.max(1))).unwrap_or(0)
}

/// One of several.
pub(in crate::cli::demo) fn pick<'a>(rng: &Rng, from: &[&'a str]) -> &'a str {
    let nth = draw(rng, u32::try_from(from.len()).unwrap_or(1)) as usize;
    from.get(nth).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ordered_leaves_the_stock_and_what_is_unknown_is_refused() {
        let mut shop = Shop::open(1, "2026-01-02T03:04:05.678Z");
        let customer = shop.any_customer();
        let before = shop.products.get(&1001).expect("a product").stock;
        let id = shop.order(&customer, &[(1001, 3)], None, "now").expect("ordered");
        assert_eq!(shop.products.get(&1001).expect("a product").stock, before - 3);
        assert_eq!(shop.order_details(id).expect("there")["total"], json!(56.7));
        assert_eq!(
            shop.order(&customer, &[(9, 1)], None, "now"),
            Err(No::Invalid("there is no such product"))
        );
        assert_eq!(shop.order_details(1), Err(No::Unknown("order")));
        shop.change_status(id, "cancelled").expect("cancelled");
        assert_eq!(shop.change_status(id, "paid"), Err(No::Conflict("the order is closed")));
    }

    #[test]
    fn the_same_seed_opens_the_same_shop() {
        let shown = |seed| Shop::open(seed, "now").orders(None, 100).expect("listed");
        assert_eq!(shown(7), shown(7));
        assert_ne!(shown(7), shown(8));
    }
}
