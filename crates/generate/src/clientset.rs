//! The clientset and the informers: an accessor per group and version, with a method per resource.

use crate::names;
use crate::package::Package;
use crate::source::Source;

/// Writes the module of the clientset.
pub(crate) fn write(packages: &[Package<'_>], out: &mut Source) {
    out.line("use klient::apimachinery::Sources;");
    out.line("use klient::cache::InformerFactory;");
    out.line("use klient::{Api, Client, Informer, IntoPlace};");
    out.line("");
    out.lines(CLIENTSET);
    out.line("");
    out.open("impl Clientset {");
    out.lines("/// Returns the clientset of a client.\npub fn new(client: Client) -> Self {\n    Clientset { client }\n}\n");
    out.lines(
        "\n/// Returns the client, for other kinds.\npub fn client(&self) -> &Client {\n    &self.client\n}",
    );
    for package in packages {
        let ty = package.accessor_type();
        out.line("");
        out.line(&format!("/// Resources of {}.", package.api_version()));
        signature(&package.accessor(), "", "&self", &ty, out);
        out.open(&format!("{ty} {{"));
        out.line("client: self.client.clone(),");
        out.close("}");
        out.close("}");
    }
    out.close("}");
    out.line("");
    out.lines(INFORMERS);
    out.line("");
    out.open("impl<S: Sources> Informers<S> {");
    for (at, package) in packages.iter().enumerate() {
        let ty = package.accessor_type();
        if at > 0 {
            out.line("");
        }
        out.line(&format!("/// Informers of {}.", package.api_version()));
        signature(&package.accessor(), "", "&self", &format!("{ty}Informers<'_, S>"), out);
        out.open(&format!("{ty}Informers {{"));
        out.line("factory: &self.factory,");
        out.close("}");
        out.close("}");
    }
    out.close("}");
    for package in packages {
        accessors(package, out);
        informers(package, out);
    }
}

fn accessors(package: &Package<'_>, out: &mut Source) {
    let ty = package.accessor_type();
    out.line("");
    out.line(&format!("/// Resources of {}.", package.api_version()));
    out.line("#[derive(Clone, Debug)]");
    out.open(&format!("pub struct {ty} {{"));
    out.line("client: Client,");
    out.close("}");
    out.line("");
    out.open(&format!("impl {ty} {{"));
    for (at, (definition, _)) in package.kinds.iter().enumerate() {
        if at > 0 {
            out.line("");
        }
        let facts = &definition.facts;
        let (method, kind) = (names::field(&facts.plural), path(package, definition.kind()));
        if facts.namespaced {
            out.line(&format!("/// `{}`, in one namespace or all.", facts.plural));
            let api = format!("Api<{kind}, P::Place>");
            signature(&method, "<P: IntoPlace>", "&self, namespace: P", &api, out);
            out.line("self.client.api().place(namespace)");
        } else {
            out.line(&format!("/// `{}`.", facts.plural));
            signature(&method, "", "&self", &format!("Api<{kind}>"), out);
            out.line("self.client.api()");
        }
        out.close("}");
    }
    out.close("}");
}

fn informers(package: &Package<'_>, out: &mut Source) {
    let ty = package.accessor_type();
    out.line("");
    out.line(&format!("/// Informers of {}.", package.api_version()));
    out.line("#[derive(Debug)]");
    out.open(&format!("pub struct {ty}Informers<'a, S> {{"));
    out.line("factory: &'a InformerFactory<S>,");
    out.close("}");
    out.line("");
    out.open(&format!("impl<S: Sources> {ty}Informers<'_, S> {{"));
    for (at, (definition, _)) in package.kinds.iter().enumerate() {
        if at > 0 {
            out.line("");
        }
        let plural = &definition.facts.plural;
        out.line(&format!("/// The informer of `{plural}`, which has its lister."));
        let informer = format!("Informer<{}>", path(package, definition.kind()));
        signature(&names::field(plural), "", "&self", &informer, out);
        out.line("self.factory.informer()");
        out.close("}");
    }
    out.close("}");
}

/// Opens a method, with its arguments in lines of their own if it is too long.
fn signature(name: &str, parameters: &str, arguments: &str, returns: &str, out: &mut Source) {
    let line = format!("pub fn {name}{parameters}({arguments}) -> {returns} {{");
    if out.fits(&line) {
        return out.open(&line);
    }
    out.open(&format!("pub fn {name}{parameters}("));
    arguments.split(", ").for_each(|argument| out.line(&format!("{argument},")));
    out.close_block(&format!(") -> {returns}"));
}

fn path(package: &Package<'_>, kind: &str) -> String {
    format!("super::{}::{}::{}", package.group_module, package.version_module(), names::type_name(kind))
}

const CLIENTSET: &str = "\
/// Typed handles for custom resources, by group and version. They are the same as those of
/// [`Client::api`].
#[derive(Clone, Debug)]
pub struct Clientset {
    client: Client,
}";

const INFORMERS: &str = "\
/// Informers of custom resources, by group and version. They are the same as those of
/// [`InformerFactory::informer`].
#[derive(Debug)]
pub struct Informers<S> {
    factory: InformerFactory<S>,
}

impl<S> Clone for Informers<S> {
    fn clone(&self) -> Self {
        Informers {
            factory: self.factory.clone(),
        }
    }
}

impl<S> Informers<S> {
    /// Returns the accessors of a factory.
    pub fn new(factory: InformerFactory<S>) -> Self {
        Informers { factory }
    }

    /// Returns the factory, which starts and stops the informers, and has those of other kinds.
    pub fn factory(&self) -> &InformerFactory<S> {
        &self.factory
    }
}";
