package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// lampDefaulter gives lamps a color.
type lampDefaulter struct{}

func (lampDefaulter) Default(ctx context.Context, lamp *Lamp) error {
	if lamp.Spec.Color == "undefaultable" {
		return errors.New("this color has no default")
	}
	if lamp.Spec.Color == "" {
		lamp.Spec.Color = "white"
	}
	if lamp.Labels == nil {
		lamp.Labels = map[string]string{}
	}
	request, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	lamp.Labels["written-as"] = request.RequestKind.Version
	return nil
}

// lampValidator refuses lamps that are too bright, and warns of those that are dim.
type lampValidator struct{}

func (lampValidator) ValidateCreate(_ context.Context, lamp *Lamp) (admission.Warnings, error) {
	return check(lamp)
}

func (lampValidator) ValidateUpdate(_ context.Context, old, lamp *Lamp) (admission.Warnings, error) {
	if old.Spec.Room != "" && old.Spec.Room != lamp.Spec.Room {
		return nil, fmt.Errorf("a lamp stays in its room, %s", old.Spec.Room)
	}
	return check(lamp)
}

func (lampValidator) ValidateDelete(_ context.Context, lamp *Lamp) (admission.Warnings, error) {
	if lamp.Labels["kept"] != "" {
		return nil, errors.New("a lamp that is kept cannot be deleted")
	}
	return admission.Warnings{"it gets dark"}, nil
}

func check(lamp *Lamp) (admission.Warnings, error) {
	switch lamp.Spec.Power {
	case "1000W":
		return nil, errors.New("1000W is too bright")
	case "1W":
		return admission.Warnings{"1W is dim", "nobody will read by it"}, nil
	}
	return nil, nil
}

// configMaps tells what it was asked, and changes, refuses or allows config maps as their data says.
type configMaps struct {
	name    string
	decoder admission.Decoder
}

func (handler *configMaps) Handle(_ context.Context, request admission.Request) admission.Response {
	tell(handler.name+" is asked", hidden(request.AdmissionRequest))
	var configMap corev1.ConfigMap
	var err error
	if len(request.Object.Raw) > 0 {
		err = handler.decoder.Decode(request, &configMap)
	} else {
		err = handler.decoder.DecodeRaw(request.OldObject, &configMap)
	}
	if err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	switch configMap.Data[handler.name] {
	case "deny":
		return admission.Denied("the config map says so")
	case "error":
		return admission.Errored(http.StatusTeapot, errors.New("something is wrong"))
	case "warn":
		return admission.Allowed("").WithWarnings("a warning", "another warning")
	case "patch":
		configMap.Data["patched-by"] = handler.name
		delete(configMap.Data, "removed")
		changed, err := json.Marshal(configMap)
		if err != nil {
			return admission.Errored(http.StatusInternalServerError, err)
		}
		return admission.PatchResponseFromRaw(request.Object.Raw, changed)
	case "audit":
		response := admission.Allowed("seen")
		response.AuditAnnotations = map[string]string{"key": "value"}
		return response
	}
	return admission.Allowed("")
}

func register(manager ctrl.Manager) error {
	err := ctrl.NewWebhookManagedBy(manager, &Lamp{}).
		WithDefaulter(lampDefaulter{}).
		WithValidator(lampValidator{}).
		Complete()
	if err != nil {
		return err
	}
	decoder := admission.NewDecoder(manager.GetScheme())
	for _, name := range []string{"mutate", "mutate-again", "validate"} {
		handler := &configMaps{name: name, decoder: decoder}
		manager.GetWebhookServer().Register("/"+name, &admission.Webhook{Handler: handler})
	}
	return nil
}
