package main

import (
	"context"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

type reconciler struct {
	client.Client
	scheme     *runtime.Scheme
	reconciles *reconciles
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var widget Widget
	if err := r.Get(ctx, request.NamespacedName, &widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.reconciles.begin(widget.Spec.Token)
	if err := r.write(ctx, &widget); err != nil {
		r.reconciles.failed.Add(1)
		return ctrl.Result{}, err
	}
	number, err := strconv.Atoi(strings.TrimPrefix(widget.Name, "widget-"))
	must(err)
	r.reconciles.done(number)
	return ctrl.Result{}, nil
}

func (r *reconciler) write(ctx context.Context, widget *Widget) error {
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: widget.Name, Namespace: widget.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, child, func() error {
		child.Data = map[string]string{
			"color": widget.Spec.Color,
			"image": widget.Spec.Image,
			"size":  strconv.FormatInt(widget.Spec.Size, 10),
		}
		return controllerutil.SetControllerReference(widget, child, r.scheme)
	})
	// The cache may not have seen it yet.
	if client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	before := widget.Status.DeepCopy()
	widget.Status.ObservedGeneration = widget.Generation
	meta.SetStatusCondition(&widget.Status.Conditions, metav1.Condition{
		Type:               "Ready",
		Status:             metav1.ConditionTrue,
		Reason:             "Written",
		Message:            "the config map is as it should be",
		ObservedGeneration: widget.Generation,
	})
	if equality.Semantic.DeepEqual(before, &widget.Status) {
		return nil
	}
	return r.Status().Update(ctx, widget)
}
