//! [`Debugger`], the pods with debug containers.

use klient_apimachinery::values::{Map, map_at};
use klient_apimachinery::{Object, Unstructured};
use serde_json::{Value, json};

use super::DebugArgs;
use super::containers::{LISTS, find, find_mut};
use super::custom_profile::CustomProfile;
use super::profile::{Profile, Style, push};
use crate::console::Console;
use crate::error::CliError;
use crate::flag_values::Pairs;
use crate::go_form;

/// The letters and digits of random suffixes (apimachinery's `rand.String`).
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The values of the flags, of which pods with debug containers are made.
pub(super) struct Debugger<'a> {
    pub(super) args: &'a DebugArgs,
    /// The images of `--set-image` by containers.
    pub(super) set_images: Vec<(String, String)>,
    profile: Profile,
    custom: Option<CustomProfile>,
    /// Objects of `name` and `value`.
    env: Vec<Value>,
}

impl<'a> Debugger<'a> {
    /// Reads the values of the flags.
    ///
    /// # Errors
    ///
    /// If there is no such profile, or the file of the custom one cannot be read.
    pub(super) fn of(args: &'a DebugArgs) -> Result<Self, CliError> {
        let variable = |(name, value): (String, String)| match value.is_empty() {
            true => json!({"name": name}),
            false => json!({"name": name, "value": value}),
        };
        Ok(Debugger {
            args,
            set_images: Pairs::merge(&args.set_image),
            profile: Profile::parse(&args.profile)?,
            custom: if args.custom.is_empty() { None } else { CustomProfile::read(&args.custom)? },
            env: Pairs::merge(&args.env).into_iter().map(variable).collect(),
        })
    }

    /// Checks the custom profile.
    ///
    /// # Errors
    ///
    /// If it sets what the flags set.
    pub(super) fn check(&self) -> Result<(), CliError> {
        self.custom.as_ref().map_or(Ok(()), CustomProfile::check)
    }

    /// The pod with an ephemeral container, and the name of the container.
    pub(super) fn with_ephemeral_container(
        &self,
        pod: &Unstructured,
        console: &mut Console,
    ) -> Result<(Unstructured, String), CliError> {
        let name = self.container_name(&pod.0, console)?;
        let mut container = self.new_container(&name);
        container["targetContainerName"] = json!(self.args.target);
        let mut pod = pod.clone();
        push(map_at(&mut pod.0, "spec"), "ephemeralContainers", container);
        self.apply_profiles(&mut pod, &name, Style::Ephemeral, "ephemeralContainers")?;
        Ok((formed(pod), name))
    }

    /// A pod on a node, and the name of its container.
    pub(super) fn node_pod(
        &self,
        node: &str,
        console: &mut Console,
    ) -> Result<(Unstructured, String), CliError> {
        let container = match self.args.container.as_str() {
            "" => "debugger",
            name => name,
        };
        let name = format!("node-debugger-{node}-{}", suffix());
        if !self.args.quiet {
            console.println(format_args!(
                "Creating debugging pod {name} with container {container} on node {node}."
            ))?;
        }
        let mut pod = Unstructured::new("v1", "Pod", &name);
        pod.set_label("app.kubernetes.io/managed-by", "kubectl-debug");
        pod["spec"] = json!({
            "containers": [self.new_container(container)],
            "nodeName": node,
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists"}],
        });
        self.apply_profiles(&mut pod, container, Style::Node, "containers")?;
        Ok((formed(pod), container.to_owned()))
    }

    /// A copy of a pod, and the name of its debug container, which is empty if only images are changed.
    pub(super) fn copy(
        &self,
        pod: &Unstructured,
        console: &mut Console,
    ) -> Result<(Unstructured, String), CliError> {
        let args = self.args;
        let mut copy = Unstructured::new("v1", "Pod", &args.copy_to);
        for field in ["namespace", "labels", "annotations"] {
            if let Some(value) = pod.at(&["metadata", field]) {
                copy["metadata"][field] = value.clone();
            }
        }
        copy["spec"] = pod.at(&["spec"]).cloned().unwrap_or_default();
        let spec = map_at(&mut copy.0, "spec");
        spec.remove("ephemeralContainers");
        if let Some(shares) = args.share_processes {
            spec.insert("shareProcessNamespace".to_owned(), shares.into());
        }
        if !args.same_node {
            spec.remove("nodeName");
        }
        self.change_images(spec);
        let is_known = find(&copy.0, &args.container).is_some();
        if !is_known && args.image.is_empty() {
            return match self.set_images.is_empty() {
                true => Err(CliError::message("you must specify image when creating new container")),
                false => Ok((formed(copy), String::new())),
            };
        }
        let name = match is_known {
            true => args.container.clone(),
            false => {
                let name = self.container_name(&copy.0, console)?;
                let container = json!({"name": name, "terminationMessagePolicy": "File"});
                push(map_at(&mut copy.0, "spec"), "containers", container);
                name
            }
        };
        if let Some(container) = find_mut(&mut copy.0, &LISTS, &name) {
            self.change(container);
        }
        self.apply_profiles(&mut copy, &name, Style::Copy, "containers")?;
        Ok((formed(copy), name))
    }

    /// Sets the images of `--set-image`.
    fn change_images(&self, spec: &mut Map) {
        let image_of = |name: &str| {
            let image = self.set_images.iter().find(|(container, _)| container == name);
            image.map(|(_, image)| image).filter(|image| !image.is_empty())
        };
        let containers = spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers {
            let image = container["name"].as_str().and_then(image_of).or_else(|| image_of("*"));
            if let Some(image) = image {
                container["image"] = json!(image);
            }
        }
    }

    /// Changes the container of a copy as the flags say.
    fn change(&self, container: &mut Map) {
        let args = self.args;
        let mut set = |field: &str, value: Value| drop(container.insert(field.to_owned(), value));
        if !args.command.is_empty() {
            match args.arguments_only {
                true => set("args", json!(args.command)),
                false => {
                    set("command", json!(args.command));
                    set("args", Value::Null);
                }
            }
        }
        if !self.env.is_empty() {
            set("env", json!(self.env));
        }
        for (field, text) in [("image", &args.image), ("imagePullPolicy", &args.image_pull_policy)] {
            if !text.is_empty() {
                set(field, json!(text));
            }
        }
        set("stdin", args.stdin.into());
        set("tty", args.tty.into());
    }

    /// A container as the flags say.
    fn new_container(&self, name: &str) -> Value {
        let args = self.args;
        let words = if args.arguments_only { "args" } else { "command" };
        json!({
            "name": name,
            "env": self.env,
            "image": args.image,
            "imagePullPolicy": args.image_pull_policy,
            "stdin": args.stdin,
            "terminationMessagePolicy": "File",
            "tty": args.tty,
            words: args.command,
        })
    }

    /// The name of the debug container: that of the flag, or one that the pod does not have yet.
    fn container_name(&self, pod: &Map, console: &mut Console) -> Result<String, CliError> {
        if !self.args.container.is_empty() {
            return Ok(self.args.container.clone());
        }
        let names = std::iter::repeat_with(|| format!("debugger-{}", suffix()));
        let name = names.into_iter().find(|name| find(pod, name).is_none()).expect("there is no last one");
        if !self.args.quiet {
            console.println(format_args!("Defaulting debug container name to {name}."))?;
        }
        Ok(name)
    }

    /// Applies the profile, and the custom one to the container in a list.
    fn apply_profiles(
        &self,
        pod: &mut Unstructured,
        name: &str,
        style: Style,
        list: &str,
    ) -> Result<(), CliError> {
        self.profile.apply(&mut pod.0, name, style, self.args);
        let Some(custom) = &self.custom else { return Ok(()) };
        match find_mut(&mut pod.0, &[list], name) {
            Some(container) => custom.apply(container),
            None => Err(CliError::Message(format!(
                "unable to find the {name} container in the pod {}",
                pod.name()
            ))),
        }
    }
}

/// Brings a pod that was made of flags into Go's form.
fn formed(pod: Unstructured) -> Unstructured {
    go_form::of(pod).expect("it was decoded, and the flags have the types of the fields")
}

fn suffix() -> String {
    let letter = || char::from(*fastrand::choice(SUFFIX).expect("there are letters"));
    std::iter::repeat_with(letter).take(5).collect()
}
