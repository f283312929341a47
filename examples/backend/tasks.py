from invoke_stack import namespace

ns = namespace()
