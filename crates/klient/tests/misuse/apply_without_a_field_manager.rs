use klient::ApplyOptions;

fn main() {
    let _ = ApplyOptions::default();
    let _ = ApplyOptions { force: true };
}
